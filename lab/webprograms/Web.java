// SPDX-License-Identifier: LGPL-2.1-or-later

import com.sun.net.httpserver.*;
import java.io.*;
import java.net.*;
import java.net.http.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import javax.net.ssl.*;

/** Web servers and clients of Java: `Web serve STORE HOST PORT FLAVOUR...`; `Web client|connection PLAN` (lines). */
public class Web {
    static void answer(HttpExchange call) throws IOException {
        try (call) {
            call.getRequestBody().readAllBytes();
            Map<String, Integer> given = new HashMap<>();
            for (String pair : String.valueOf(call.getRequestURI().getRawQuery()).split("&")) {
                String[] sides = pair.split("=");
                if (sides.length == 2 && sides[1].matches("\\d{1,8}")) given.put(sides[0], Integer.parseInt(sides[1]));
            }
            int status = given.getOrDefault("s", 200), size = given.getOrDefault("n", 0);
            int pieces = given.getOrDefault("k", 1), pause = given.getOrDefault("t", 0);
            Thread.sleep(pause);
            call.getResponseHeaders().set("Content-Type", "application/json");
            if (given.getOrDefault("h", 0) > 0) call.getResponseHeaders().set("X-Trace-Id", "t".repeat(given.get("h")));
            if (status == 302) call.getResponseHeaders().set("Location", "/b/?n=9");
            boolean none = status == 204 || status == 304 || size == 0 || call.getRequestMethod().equals("HEAD");
            call.sendResponseHeaders(status, none ? -1 : pieces > 1 ? 0 : size);
            if (none) return;
            for (int i = 0; i < pieces; i++) {
                if (i > 0) Thread.sleep(pause);
                call.getResponseBody().write(new byte[size / pieces]);
                call.getResponseBody().flush();
            }
        } catch (InterruptedException error) {
            throw new IOException(error);
        }
    }

    static void serve(String[] words) throws Exception {
        SSLContext made = SSLContext.getInstance("TLS");
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(new FileInputStream(words[1]), "changeit".toCharArray());
        KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
        keys.init(store, "changeit".toCharArray());
        made.init(keys.getKeyManagers(), null, null);
        for (int i = 2; i + 2 < words.length; i += 3) {
            InetSocketAddress place = new InetSocketAddress(words[i], Integer.parseInt(words[i + 1]));
            String flavour = words[i + 2];
            HttpServer server;
            if (flavour.equals("plain")) {
                server = HttpServer.create(place, 100);
            } else {
                HttpsServer safe = HttpsServer.create(place, 100);
                safe.setHttpsConfigurator(new HttpsConfigurator(made) {
                    public void configure(HttpsParameters call) {
                        SSLParameters chosen = made.getDefaultSSLParameters();
                        if (List.of("old", "cbc").contains(flavour)) chosen.setProtocols(new String[] {"TLSv1.2"});
                        if (flavour.equals("cbc"))
                            chosen.setCipherSuites(new String[] {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"});
                        call.setSSLParameters(chosen);
                    }
                });
                server = safe;
            }
            server.createContext("/", Web::answer);
            server.setExecutor(Executors.newCachedThreadPool());
            server.start();
        }
    }

    static SSLContext trusting() throws Exception {
        SSLContext made = SSLContext.getInstance("TLS");
        made.init(null, new TrustManager[] {new X509ExtendedTrustManager() {
            public void checkClientTrusted(X509Certificate[] chain, String kind) {}
            public void checkServerTrusted(X509Certificate[] chain, String kind) {}
            public void checkClientTrusted(X509Certificate[] chain, String kind, Socket socket) {}
            public void checkServerTrusted(X509Certificate[] chain, String kind, Socket socket) {}
            public void checkClientTrusted(X509Certificate[] chain, String kind, SSLEngine engine) {}
            public void checkServerTrusted(X509Certificate[] chain, String kind, SSLEngine engine) {}
            public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
        }}, new SecureRandom());
        return made;
    }

    /** Lines of a plan: "S at old h2" begins a session, "R pause method path size" asks, "H name value" is a header of it. */
    static void session(String base, List<String[]> lines, boolean modern) throws Exception {
        String[] first = lines.get(0);
        Thread.sleep((long) (1000 * Double.parseDouble(first[1])));
        SSLContext made = trusting();
        HttpClient client = null;
        if (modern) {
            SSLParameters chosen = made.getDefaultSSLParameters();
            if (first[2].equals("1")) chosen.setProtocols(new String[] {"TLSv1.2"});
            client = HttpClient.newBuilder().sslContext(made).sslParameters(chosen)
                .version(first[3].equals("1") ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofSeconds(20)).build();
        }
        for (int i = 1; i < lines.size(); ) {
            String[] ask = lines.get(i++);
            Map<String, String> head = new LinkedHashMap<>();
            while (i < lines.size() && lines.get(i)[0].equals("H")) {
                head.put(lines.get(i)[1], lines.get(i)[2]);
                i++;
            }
            double pause = Double.parseDouble(ask[1]);
            if (pause > 0) Thread.sleep((long) (1000 * pause));
            byte[] body = new byte[Integer.parseInt(ask[4])];
            if (modern) {
                HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + ask[3])).timeout(Duration.ofSeconds(30))
                    .method(ask[2], body.length > 0 ? HttpRequest.BodyPublishers.ofByteArray(body)
                                                    : HttpRequest.BodyPublishers.noBody());
                head.forEach(request::header);
                client.send(request.build(), HttpResponse.BodyHandlers.discarding());
                continue;
            }
            HttpURLConnection call = (HttpURLConnection) new URL(base + ask[3]).openConnection();
            if (call instanceof HttpsURLConnection safe) {
                safe.setSSLSocketFactory(factory(made));
                safe.setHostnameVerifier((name, chosen) -> true);
            }
            call.setInstanceFollowRedirects(false);
            call.setReadTimeout(30000);
            head.forEach(call::setRequestProperty);
            call.setRequestMethod(List.of("PATCH", "PROPFIND").contains(ask[2]) ? "POST" : ask[2]);
            if (body.length > 0) {
                call.setDoOutput(true);
                call.setFixedLengthStreamingMode(body.length);
                call.getOutputStream().write(body);
            }
            try (InputStream in = call.getResponseCode() < 400 ? call.getInputStream() : call.getErrorStream()) {
                if (in != null) in.readAllBytes();
            }
        }
    }

    static SSLSocketFactory kept;

    static synchronized SSLSocketFactory factory(SSLContext made) {
        if (kept == null) kept = made.getSocketFactory(); // one for all: kept connections and sessions are found again
        return kept;
    }

    public static void main(String[] words) throws Exception {
        if (words[0].equals("serve")) {
            serve(words);
            return;
        }
        List<String> lines = Files.readAllLines(Path.of(words[1]));
        List<List<String[]>> all = new ArrayList<>();
        for (String line : lines.subList(1, lines.size())) {
            String[] split = line.split("\t", -1);
            if (split[0].equals("S")) all.add(new ArrayList<>());
            all.get(all.size() - 1).add(split);
        }
        ExecutorService pool = Executors.newCachedThreadPool();
        for (List<String[]> one : all) {
            pool.submit(() -> {
                try {
                    session(lines.get(0), one, words[0].equals("client"));
                } catch (Exception error) {
                    System.err.println(error);
                }
            });
        }
        pool.shutdown();
        pool.awaitTermination(180, TimeUnit.SECONDS);
        System.exit(0);
    }
}
