// SPDX-License-Identifier: LGPL-2.1-or-later

//go:build ssh

package main

import (
	"net"

	"golang.org/x/crypto/ssh"
)

func init() {
	inside = func(stream net.Conn, user, password, command string) error {
		settings := &ssh.ClientConfig{
			User:            user,
			Auth:            []ssh.AuthMethod{ssh.Password(password)},
			HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		}
		way, channels, requests, err := ssh.NewClientConn(stream, "lab", settings)
		if err != nil {
			return err
		}
		client := ssh.NewClient(way, channels, requests)
		defer client.Close()
		session, err := client.NewSession()
		if err != nil {
			return err
		}
		_, err = session.CombinedOutput(command)
		return err
	}
}
