# SPDX-License-Identifier: LGPL-2.1-or-later
# A client of Ruby's Net::SSH: ssh.rb ADDRESS USER ACTION WORD...
# It tries each word over one connection, all of one kind: passwords, kbd:PASSWORD for keyboard-interactive, key:PATH.
# ACTION: none, exec, shell, transfer, forward; with `refuse` it does not know the host key.

require "net/ssh"
require "net/scp"
require "stringio"

address, user, action, *words = ARGV
script = ["uname -a", "id", "ls /etc | head -20", "uptime"]

# Answers one question after the other with the next word, and asks no terminal.
class Words
  def initialize(words)
    @words = words
  end

  def start(_info)
    self
  end

  def ask(_question, _echo = false)
    @words.shift or raise Net::SSH::AuthenticationFailed, "no more words"
  end

  def success; end
end

keys = words.select { |word| word.start_with?("key:") }.map { |word| word[4..] }
left = words.reject { |word| word.start_with?("key:") }
asked = left.any? { |word| word.start_with?("kbd:") } ? "keyboard-interactive" : "password"
left = left.map { |word| word.delete_prefix("kbd:") }
options = {
  auth_methods: ["none", *("publickey" unless keys.empty?), *(asked unless left.empty?)],
  keys: keys, keys_only: true, use_agent: false, config: false,
  user_known_hosts_file: "/root/ruby-known", global_known_hosts_file: "/dev/null",
  verify_host_key: action == "refuse" ? :always : :never,
  number_of_password_prompts: left.size,
  password_prompt: Words.new(left), timeout: 30
}

begin
  Net::SSH.start(address, user, options) do |ssh|
    case action
    when "exec"
      script.first(2).each { |line| ssh.exec!(line) }
    when "shell"
      ssh.open_channel do |channel|
        channel.request_pty do
          channel.send_channel_request("shell") do
            Thread.new do
              [*script, "exit"].each do |line|
                sleep 0.3
                channel.send_data("#{line}\n")
              end
            end
          end
        end
      end
      ssh.loop(0.1)
    when "transfer"
      ssh.scp.upload!(StringIO.new("x" * 60_000), "file")
      ssh.scp.download!("/etc/services", "/root/ruby-back")
    when "forward"
      ssh.forward.local(8081, "127.0.0.1", 80)
      done = false
      Thread.new do
        3.times do
          sleep 1
          system("curl", "-s", "-o", "/dev/null", "http://127.0.0.1:8081/")
        end
        done = true
      end
      ssh.loop(0.1) { !done }
    end
  end
rescue Net::SSH::Exception => e
  warn e.message
end
