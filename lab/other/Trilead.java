// SPDX-License-Identifier: LGPL-2.1-or-later

import com.trilead.ssh2.Connection;
import com.trilead.ssh2.InteractiveCallback;
import com.trilead.ssh2.SFTPv3Client;
import com.trilead.ssh2.SFTPv3FileHandle;
import com.trilead.ssh2.Session;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;

/**
 * A client of the Trilead SSH library, and of Ganymed, whose package is another: Trilead ADDRESS USER ACTION WORD...
 *
 * It tries each word over one connection: a password, kbd:PASSWORD for keyboard-interactive, key:PATH (PEM). ACTION:
 * none, exec, shell, transfer; with `refuse` it does not know the host key.
 */
public class Trilead {
    static final String[] SCRIPT = {"uname -a", "id", "ls /etc | head -20", "uptime"};

    static void drain(InputStream from) throws IOException {
        byte[] data = new byte[4096];
        while (from.read(data) > 0) { }
    }

    static boolean offer(Connection connection, String user, String word) throws IOException {
        if (word.startsWith("key:")) {
            return connection.authenticateWithPublicKey(user, new File(word.substring(4)), null);
        }
        if (word.startsWith("kbd:")) {
            InteractiveCallback answers = (name, instruction, count, prompt, echo) -> {
                String[] all = new String[count];
                Arrays.fill(all, word.substring(4));
                return all;
            };
            return connection.authenticateWithKeyboardInteractive(user, answers);
        }
        return connection.authenticateWithPassword(user, word);
    }

    static void act(Connection connection, String action) throws Exception {
        if (action.equals("exec")) {
            for (String line : Arrays.copyOf(SCRIPT, 2)) {
                Session session = connection.openSession();
                session.execCommand(line);
                drain(session.getStdout());
                session.close();
            }
        } else if (action.equals("shell")) {
            Session session = connection.openSession();
            session.requestDumbPTY();
            session.startShell();
            OutputStream in = session.getStdin();
            for (String line : SCRIPT) {
                Thread.sleep(300);
                in.write((line + "\n").getBytes());
                in.flush();
            }
            in.write("exit\n".getBytes());
            in.flush();
            drain(session.getStdout());
            session.close();
        } else if (action.equals("transfer")) {
            SFTPv3Client files = new SFTPv3Client(connection);
            SFTPv3FileHandle file = files.createFileTruncate("/tmp/trilead-file");
            byte[] data = new byte[30000];
            files.write(file, 0, data, 0, data.length);
            files.write(file, data.length, data, 0, data.length);
            files.closeFile(file);
            files.ls("/etc");
            files.close();
        }
    }

    public static void main(String[] arguments) throws Exception {
        String action = arguments[2];
        Connection connection = new Connection(arguments[0], 22);
        try {
            connection.connect((host, port, algorithm, key) -> !action.equals("refuse"), 30000, 30000);
            for (String word : Arrays.copyOfRange(arguments, 3, arguments.length)) {
                if (offer(connection, arguments[1], word)) {
                    act(connection, action);
                    break;
                }
            }
        } catch (IOException error) {
            System.err.println(error.getMessage());
            System.exit(1);
        }
        connection.close();
        System.exit(0);
    }
}
