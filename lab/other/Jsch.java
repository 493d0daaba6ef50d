// SPDX-License-Identifier: LGPL-2.1-or-later

import com.jcraft.jsch.ChannelExec;
import com.jcraft.jsch.ChannelSftp;
import com.jcraft.jsch.ChannelShell;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.JSchException;
import com.jcraft.jsch.Session;
import com.jcraft.jsch.UIKeyboardInteractive;
import com.jcraft.jsch.UserInfo;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.Arrays;

/**
 * A client of JSch: Jsch ADDRESS USER ACTION WORD...
 *
 * It tries each word over one connection: a password, kbd:PASSWORD for keyboard-interactive, key:PATH. ACTION: none,
 * exec, shell, transfer; with `refuse` it does not know the host key.
 */
public class Jsch {
    static final String[] SCRIPT = {"uname -a", "id", "ls /etc | head -20", "uptime"};

    /** Answers each question with the next word. */
    static class Words implements UserInfo, UIKeyboardInteractive {
        final ArrayDeque<String> left = new ArrayDeque<>();

        public String getPassphrase() { return null; }
        public String getPassword() { return left.poll(); }
        public boolean promptPassword(String message) { return !left.isEmpty(); }
        public boolean promptPassphrase(String message) { return false; }
        public boolean promptYesNo(String message) { return false; }
        public void showMessage(String message) { }
        public String[] promptKeyboardInteractive(
                String destination, String name, String instruction, String[] prompt, boolean[] echo) {
            if (prompt.length == 0) {
                return new String[0];
            }
            String word = left.poll();
            return word == null ? null : new String[] {word};
        }
    }

    static void drain(InputStream from) throws Exception {
        byte[] data = new byte[4096];
        while (from.read(data) > 0) { }
    }

    public static void main(String[] arguments) throws Exception {
        String action = arguments[2];
        JSch jsch = new JSch();
        Words words = new Words();
        String methods = "password";
        for (String word : Arrays.copyOfRange(arguments, 3, arguments.length)) {
            if (word.startsWith("key:")) {
                jsch.addIdentity(word.substring(4));
                methods = "publickey,password";
            } else if (word.startsWith("kbd:")) {
                words.left.add(word.substring(4));
                methods = "keyboard-interactive";
            } else {
                words.left.add(word);
            }
        }
        Session session = jsch.getSession(arguments[1], arguments[0], 22);
        session.setUserInfo(words);
        session.setConfig("PreferredAuthentications", methods);
        session.setConfig("MaxAuthTries", "10");
        session.setConfig("NumberOfPasswordPrompts", "10");
        session.setConfig("StrictHostKeyChecking", action.equals("refuse") ? "yes" : "no");
        try {
            session.connect(30000);
        } catch (JSchException error) {
            System.err.println(error.getMessage());
            System.exit(1);
        }
        if (action.equals("exec")) {
            for (String line : Arrays.copyOf(SCRIPT, 2)) {
                ChannelExec channel = (ChannelExec) session.openChannel("exec");
                channel.setCommand(line);
                InputStream out = channel.getInputStream();
                channel.connect();
                drain(out);
                channel.disconnect();
            }
        } else if (action.equals("shell")) {
            ChannelShell channel = (ChannelShell) session.openChannel("shell");
            InputStream out = channel.getInputStream();
            OutputStream in = channel.getOutputStream();
            channel.connect();
            for (String line : SCRIPT) {
                Thread.sleep(300);
                in.write((line + "\n").getBytes());
                in.flush();
            }
            in.write("exit\n".getBytes());
            in.flush();
            drain(out);
        } else if (action.equals("transfer")) {
            ChannelSftp channel = (ChannelSftp) session.openChannel("sftp");
            channel.connect();
            channel.put(new ByteArrayInputStream(new byte[60000]), "file");
            channel.get("file", "/root/jsch-back");
            channel.disconnect();
        }
        session.disconnect();
    }
}
