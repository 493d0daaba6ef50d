// SPDX-License-Identifier: LGPL-2.1-or-later

// SSH by golang.org/x/crypto/ssh: a server that logs as OpenSSH does, and a client.
//
//	sshgo serve USER PASSWORD AUTHORIZED_KEYS METHODS HOST_KEY...
//	sshgo client ADDRESS USER ACTION WORD...
//
// METHODS is some of password,keyboard. The client tries each word over one connection: a password, kbd:PASSWORD for
// keyboard-interactive, key:PATH. ACTION: none, exec, shell, transfer, forward; a host key is refused with ACTION refuse.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/creack/pty"
	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

var script = []string{"uname -a", "id", "ls /etc | head -20", "uptime"}

var errWrong = errors.New("wrong password")

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func signer(path string) ssh.Signer {
	data, err := os.ReadFile(path)
	must(err)
	key, err := ssh.ParsePrivateKey(data)
	must(err)
	return key
}

func config(user, password, keys, methods string) *ssh.ServerConfig {
	check := func(word string) (*ssh.Permissions, error) {
		if word == password {
			return nil, nil
		}
		return nil, errWrong
	}
	made := &ssh.ServerConfig{
		MaxAuthTries: 6,
		PublicKeyCallback: func(conn ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			data, _ := os.ReadFile(keys)
			for len(data) > 0 {
				known, _, _, rest, err := ssh.ParseAuthorizedKey(data)
				if err == nil && string(known.Marshal()) == string(key.Marshal()) {
					return nil, nil
				}
				data = rest
			}
			return nil, errors.New("unknown key")
		},
		AuthLogCallback: func(conn ssh.ConnMetadata, method string, err error) {
			host, port, _ := net.SplitHostPort(conn.RemoteAddr().String())
			what := "Accepted"
			if err != nil {
				what = "Failed"
			}
			if method == "keyboard-interactive" && err != nil && err != errWrong {
				what = "Unanswered" // the client left, and sent nothing that could be refused
			}
			fmt.Printf("%s %s for %s from %s port %s ssh2\n", what, method, conn.User(), host, port)
		},
	}
	if strings.Contains(methods, "password") {
		made.PasswordCallback = func(conn ssh.ConnMetadata, word []byte) (*ssh.Permissions, error) {
			return check(string(word))
		}
	}
	if strings.Contains(methods, "keyboard") {
		made.KeyboardInteractiveCallback = func(
			conn ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge,
		) (*ssh.Permissions, error) {
			answers, err := ask("", "", []string{"Password: "}, []bool{false})
			if err != nil {
				return nil, err
			}
			return check(strings.Join(answers, ""))
		}
	}
	return made
}

func text(data []byte) string {
	var got struct{ Text string }
	if ssh.Unmarshal(data, &got) != nil {
		return ""
	}
	return got.Text
}

func finish(channel ssh.Channel, err error) {
	status := struct{ Status uint32 }{0}
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		status.Status = uint32(failed.ExitCode())
	}
	channel.SendRequest("exit-status", false, ssh.Marshal(&status))
	channel.Close()
}

func terminal(channel ssh.Channel) {
	child := exec.Command("/bin/sh")
	child.Env = append(os.Environ(), "PS1=$ ", "TERM=xterm")
	master, err := pty.Start(child)
	if err != nil {
		finish(channel, err)
		return
	}
	go func() { io.Copy(master, channel) }()
	io.Copy(channel, master)
	finish(channel, child.Wait())
}

func command(channel ssh.Channel, line string) {
	child := exec.Command("/bin/sh", "-c", line)
	child.Stdout, child.Stderr = channel, channel.Stderr()
	input, err := child.StdinPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		finish(channel, err)
		return
	}
	go func() { io.Copy(input, channel); input.Close() }()
	finish(channel, child.Wait())
}

func session(channel ssh.Channel, requests <-chan *ssh.Request) {
	for request := range requests {
		good := true
		switch request.Type {
		case "pty-req", "env", "window-change":
		case "shell":
			go terminal(channel)
		case "exec":
			go command(channel, text(request.Payload))
		case "subsystem":
			go func() {
				server, err := sftp.NewServer(channel)
				if err == nil {
					server.Serve()
				}
				channel.Close()
			}()
		default:
			good = false
		}
		if request.WantReply {
			request.Reply(good, nil)
		}
	}
}

func forward(asked ssh.NewChannel) {
	var where struct {
		Host   string
		Port   uint32
		From   string
		Source uint32
	}
	ssh.Unmarshal(asked.ExtraData(), &where)
	other, err := net.Dial("tcp", net.JoinHostPort(where.Host, fmt.Sprint(where.Port)))
	if err != nil {
		asked.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	channel, requests, err := asked.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	go func() { io.Copy(other, channel); other.(*net.TCPConn).CloseWrite() }()
	io.Copy(channel, other)
	channel.Close()
}

func serve(user, password, keys, methods string, hosts []string) {
	made := config(user, password, keys, methods)
	for _, host := range hosts {
		made.AddHostKey(signer(host))
	}
	listener, err := net.Listen("tcp", ":22")
	must(err)
	for {
		conn, err := listener.Accept()
		must(err)
		host, port, _ := net.SplitHostPort(conn.RemoteAddr().String())
		fmt.Printf("Connection from %s port %s on server\n", host, port)
		go func() {
			defer conn.Close()
			_, channels, requests, err := ssh.NewServerConn(conn, made)
			if err != nil {
				return
			}
			go ssh.DiscardRequests(requests)
			for asked := range channels {
				switch asked.ChannelType() {
				case "session":
					channel, requests, err := asked.Accept()
					if err == nil {
						go session(channel, requests)
					}
				case "direct-tcpip":
					go forward(asked)
				default:
					asked.Reject(ssh.UnknownChannelType, "")
				}
			}
		}()
	}
}

// methods returns how the words are offered: all words of one kind by one method that may be tried again.
func methods(words []string) []ssh.AuthMethod {
	var passwords, answers []string
	var keys []ssh.Signer
	for _, word := range words {
		if rest := strings.TrimPrefix(word, "kbd:"); rest != word {
			answers = append(answers, rest)
		} else if rest := strings.TrimPrefix(word, "key:"); rest != word {
			keys = append(keys, signer(rest))
		} else {
			passwords = append(passwords, word)
		}
	}
	next := func(left *[]string) string {
		word := (*left)[0]
		*left = (*left)[1:]
		return word
	}
	var made []ssh.AuthMethod
	if keys != nil {
		made = append(made, ssh.PublicKeys(keys...))
	}
	if passwords != nil {
		one := ssh.PasswordCallback(func() (string, error) { return next(&passwords), nil })
		made = append(made, ssh.RetryableAuthMethod(one, len(passwords)))
	}
	if answers != nil {
		one := ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
			if len(questions) == 0 {
				return nil, nil
			}
			return []string{next(&answers)}, nil
		})
		made = append(made, ssh.RetryableAuthMethod(one, len(answers)))
	}
	return made
}

func client(address, user, action string, words []string) {
	made := &ssh.ClientConfig{
		User:            user,
		Auth:            methods(words),
		Timeout:         30 * time.Second,
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	}
	if action == "refuse" {
		made.HostKeyCallback = func(string, net.Addr, ssh.PublicKey) error { return errors.New("unknown host key") }
	}
	conn, err := ssh.Dial("tcp", net.JoinHostPort(address, "22"), made)
	must(err)
	defer conn.Close()
	switch action {
	case "exec":
		for _, line := range script[:2] {
			session, err := conn.NewSession()
			must(err)
			session.CombinedOutput(line)
			session.Close()
		}
	case "shell":
		session, err := conn.NewSession()
		must(err)
		must(session.RequestPty("xterm", 24, 80, ssh.TerminalModes{ssh.ECHO: 1}))
		input, _ := session.StdinPipe()
		session.Stdout = io.Discard
		must(session.Shell())
		for _, line := range append(script, "exit") {
			time.Sleep(300 * time.Millisecond)
			io.WriteString(input, line+"\n")
		}
		session.Wait()
	case "transfer":
		files, err := sftp.NewClient(conn)
		must(err)
		file, err := files.Create("file")
		must(err)
		file.Write(make([]byte, 200_000))
		file.Close()
		file, err = files.Open("file")
		must(err)
		io.Copy(io.Discard, file)
		files.Close()
	case "forward":
		for range [3]int{} {
			time.Sleep(time.Second)
			web, err := conn.Dial("tcp", "127.0.0.1:80")
			if err != nil {
				continue
			}
			io.WriteString(web, "GET / HTTP/1.0\r\n\r\n")
			io.Copy(io.Discard, web)
			web.Close()
		}
	}
}

func main() {
	if len(os.Args) > 6 && os.Args[1] == "serve" {
		serve(os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6:])
	} else if len(os.Args) > 5 && os.Args[1] == "client" {
		client(os.Args[2], os.Args[3], os.Args[4], os.Args[5:])
	} else {
		must(errors.New("usage: sshgo serve|client ..."))
	}
}
