# SPDX-License-Identifier: LGPL-2.1-or-later
# A web server of Ruby: `ruby server.rb PLACES PEM`, as server.py. Threads over OpenSSL, HTTP/1.1 as small servers speak it.
require 'json'
require 'openssl'
require 'socket'
places, pem = ARGV
text = File.read(pem)

def answer(stream)
  loop do
    line = stream.gets or break
    method, url, = line.split
    length = 0
    while (head = stream.gets) && head.strip != ''
      length = head.split(':', 2)[1].to_i if head.downcase.start_with?('content-length:')
    end
    stream.read(length) if length.positive?
    given = url.scan(/([a-z])=(\d+)/).to_h { |key, value| [key, value.to_i] }
    status, size, pieces = given['s'] || 200, given['n'] || 0, [given['k'] || 1, 1].max
    sleep((given['t'] || 0) / 1000.0)
    out = +"HTTP/1.1 #{status} OK\r\nServer: Ruby\r\nContent-Type: application/json\r\n"
    out << "X-Trace: #{'t' * given['h']}\r\n" if (given['h'] || 0).positive?
    out << "Location: /b/?n=9\r\n" if status == 302
    if [204, 304].include?(status)
      stream.write(out + "\r\n")
    elsif pieces == 1
      out << "Content-Length: #{size}\r\n\r\n"
      out << 'x' * size unless method == 'HEAD'
      stream.write(out)
    else
      stream.write(out + "Transfer-Encoding: chunked\r\n\r\n")
      pieces.times do
        sleep((given['t'] || 0) / 1000.0)
        part = size / pieces
        stream.write("#{part.to_s(16)}\r\n#{'x' * part}\r\n") if part.positive?
      end
      stream.write("0\r\n\r\n")
    end
  end
rescue StandardError
  nil
ensure
  stream.close
end

JSON.parse(places).each do |host, port, flavour|
  Thread.new do
    listener = TCPServer.new(host, port)
    listener.listen(200)
    made = OpenSSL::SSL::SSLContext.new
    made.cert = OpenSSL::X509::Certificate.new(text)
    made.key = OpenSSL::PKey.read(text)
    made.max_version = OpenSSL::SSL::TLS1_2_VERSION if %w[old cbc chacha].include?(flavour)
    made.ciphers = 'ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA:AES128-SHA:@SECLEVEL=0' if flavour == 'cbc'
    made.ciphers = 'ECDHE+CHACHA20' if flavour == 'chacha'
    made.ecdh_curves = 'P-384' if flavour == 'retry'
    loop do
      caller = listener.accept
      caller.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
      Thread.new do
        stream = caller
        if flavour != 'plain'
          stream = OpenSSL::SSL::SSLSocket.new(caller, made)
          stream.sync_close = true
          stream.accept
        end
        answer(stream)
      rescue StandardError
        caller.close
      end
    end
  end
end
sleep
