# SPDX-License-Identifier: LGPL-2.1-or-later
# A web client of Ruby: `ruby client.rb PLAN`: Net::HTTP, a thread for each session.
require 'json'
require 'net/http'
plan = JSON.parse(File.read(ARGV[0]))
base = URI(plan['base'])
plan['sessions'].map do |one|
  Thread.new do
    sleep one['at']
    made = Net::HTTP.new(base.hostname, base.port)
    made.use_ssl = base.scheme == 'https'
    made.verify_mode = OpenSSL::SSL::VERIFY_NONE
    made.max_version = :TLS1_2 if one['old']
    made.read_timeout = 30
    made.keep_alive_timeout = 60
    made.start do |web|
      one['steps'].each do |pause, method, path, head, size|
        sleep pause if pause.positive?
        request = Net::HTTPGenericRequest.new(method, size.positive?, method != 'HEAD', path, head)
        request.body = 'y' * size if size.positive?
        web.request(request)
      end
    end
  rescue StandardError => error
    warn error.message
  end
end.each(&:join)
