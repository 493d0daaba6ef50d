// SPDX-License-Identifier: LGPL-2.1-or-later

// Web servers and clients of Go's net/http: `web serve PLACES PEM`, as server.py; `web play PLAN`, as client.py.
package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

func settings(flavour string, pair tls.Certificate) *tls.Config {
	made := &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}
	switch flavour {
	case "old", "chacha":
		made.MaxVersion = tls.VersionTLS12
	case "retry":
		made.CurvePreferences = []tls.CurveID{tls.CurveP384}
	case "ticketless":
		made.SessionTicketsDisabled = true
	case "asking":
		made.ClientAuth = tls.RequestClientCert
	}
	if flavour == "chacha" {
		made.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}
		made.NextProtos = []string{"http/1.1"}
	}
	return made
}

func answer(out http.ResponseWriter, request *http.Request) {
	given := request.URL.Query()
	number := func(key string) (value int) { fmt.Sscan(given.Get(key), &value); return }
	io.Copy(io.Discard, request.Body)
	pause := time.Duration(number("t")) * time.Millisecond
	out.Header().Set("Content-Type", "application/json")
	if number("h") > 0 {
		out.Header().Set("X-Trace-Id", strings.Repeat("t", number("h")))
	}
	if pieces := number("k"); pieces > 1 {
		for i := 0; i < pieces; i++ {
			time.Sleep(time.Duration(float64(pause) * (0.5 + rand.Float64())))
			out.Write(bytes.Repeat([]byte("x"), number("n")/pieces))
			out.(http.Flusher).Flush()
		}
		return
	}
	time.Sleep(pause)
	status := number("s")
	if status == 302 {
		out.Header().Set("Location", "/b/?n=9")
	}
	if status != 0 {
		out.WriteHeader(status)
	}
	if status != 204 && status != 304 && request.Method != "HEAD" {
		out.Write(bytes.Repeat([]byte("x"), number("n")))
	}
}

func serve(places, pem string) {
	var list [][]any
	json.Unmarshal([]byte(places), &list)
	pair, err := tls.LoadX509KeyPair(pem, pem)
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", answer)
	for _, one := range list {
		host, port, flavour := one[0].(string), int(one[1].(float64)), one[2].(string)
		server := &http.Server{
			Addr: net.JoinHostPort(host, fmt.Sprint(port)), TLSConfig: settings(flavour, pair),
			ErrorLog: log.New(io.Discard, "", 0),
		}
		if flavour == "chacha" { // HTTP/2 wants AES-GCM too
			server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
		}
		go func() {
			if flavour == "plain" {
				log.Println(server.ListenAndServe())
			} else {
				log.Println(server.ListenAndServeTLS("", ""))
			}
		}()
	}
	select {}
}

type session struct {
	At    float64 `json:"at"`
	Old   bool    `json:"old"`
	H2    bool    `json:"h2"`
	Steps [][]any `json:"steps"`
}

func play(plan string) {
	var all struct {
		Base, Pem string
		Sessions  []session
	}
	text, err := os.ReadFile(plan)
	if err != nil {
		log.Fatal(err)
	}
	json.Unmarshal(text, &all)
	pair, _ := tls.LoadX509KeyPair(all.Pem, all.Pem)
	cache := tls.NewLRUClientSessionCache(64) // some connections resume an earlier session
	var wait sync.WaitGroup
	for number, one := range all.Sessions {
		wait.Add(1)
		go func(number int, one session) {
			defer wait.Done()
			time.Sleep(time.Duration(one.At * float64(time.Second)))
			made := &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}}
			if one.Old {
				made.MaxVersion = tls.VersionTLS12
			}
			if number%2 == 0 {
				made.ClientSessionCache = cache
			}
			dial := &net.Dialer{Timeout: 20 * time.Second}
			way := &http.Transport{
				TLSClientConfig: made, ForceAttemptHTTP2: one.H2, MaxConnsPerHost: 1, DialContext: dial.DialContext,
			}
			client := &http.Client{Transport: way, Timeout: 30 * time.Second,
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			for _, step := range one.Steps {
				if pause := step[0].(float64); pause > 0 {
					time.Sleep(time.Duration(pause * float64(time.Second)))
				}
				var body io.Reader
				if size := int(step[4].(float64)); size > 0 {
					body = bytes.NewReader(bytes.Repeat([]byte("y"), size))
				}
				request, err := http.NewRequest(step[1].(string), all.Base+step[2].(string), body)
				if err != nil {
					return
				}
				for key, value := range step[3].(map[string]any) {
					request.Header.Set(key, value.(string))
				}
				reply, err := client.Do(request)
				if err != nil {
					return
				}
				io.Copy(io.Discard, reply.Body)
				reply.Body.Close()
			}
			way.CloseIdleConnections()
		}(number, one)
	}
	wait.Wait()
}

func main() {
	if os.Args[1] == "serve" {
		serve(os.Args[2], os.Args[3])
	}
	play(os.Args[2])
}
