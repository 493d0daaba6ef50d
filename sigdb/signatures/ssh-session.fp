# SPDX-License-Identifier: LGPL-2.1-or-later
# SSH protocol 2: what was done after the login, and who did it.
#
# The forms are in files of their own: ssh-forms.fp (relative to the service's acceptance), ssh-other.fp (names in _LATE: logins
# whose acceptance has no size of its own) and ssh-pieces.fp (_PIECES: servers that write each message in two packets).
include "ssh-other.fp"
include "ssh-pieces.fp"

# A key pressed is CHANNEL_DATA of one byte, the smallest message of that kind: 8 or 16 bytes less than the
# acceptance, or its size where the MAC leaves the length encrypted (`/0`). Five in a row, the first after a pause: a
# program that types line by line never sends the smallest message first. Echoes stand anywhere between them, as over
# a long link the person is ahead of what the screen shows, or zsh and fish repaint the line.
# OpenSSH 9.5 and later hide keys among chaff on a grid of 20 ms: chaff begins with a real key after a pause all the
# same, and looks like keys that follow, so what is seen is that somebody types, not how fast.
# Fails: keys joined by Nagle's algorithm, fewer than five keys in a row. False friends: a program that sends byte by
# byte (`expect`'s send -h and send -s), a line of one letter in chaff, port forwards that carry telnet, which people
# type too.
tcp * = < ( $SERVICE ( ( ~ s40-110#A | ~ s24-84#I ~ s@I+12/4#A ) ... $KEYS_PRESSED | ~ s40-110#A ... $KEYS_N ) | $TYPED_LATE | $TYPED_PIECES ) : SSH2 - a person types in a session
    id = human.typing.ssh
    confidence = 97
    severity = low
    attack = T1021.004
    category = ssh

let TYPES(two, three, open) = $LOGIN ( $TERM($two, $three) ( $OUT{0,} ( $AT_ONCE_LONG | $ANY_PACE | $FLOODED ) | (~ s*){0,12} $ADJUST{0,2} ( $CHAFF | $LATER ) ) | $TERM_E($two, $three, $open) $OUT{0,} $AT_ONCE | $OPEN_X $ASKED ( $ECHO ){3} | $OPEN_E($open) $ASKED ( $ECHO_E ){3} )

# A program works a terminal: whole lines arrive in one message each, where a person's keys would come one by one. Two
# lines without a pause, or three of any pace that are longer than any cursor key, or three whose echoes have their size.
# Fails: sessions of one line, lines of two letters at most. False friends: a terminal that answers questions of the
# shell (fish 4, tmux) and then pastes; a person who pastes three lines before anything else.
tcp * = < $SERVICE ( ~ s36-58#A $TYPES(@A+22/14, @A+56/16, @A+64/4) | ~ s60-72#A $TYPES(@A+40/8, @A+92/4, @A+84/0) | ~ s88-110#A $TYPES(@A+72/8, @A+156/4, @A+116/0) | ( ~ s24-84#I ~ s@I+12/4#A | ~ s40-110#A ) $LOGIN_I ( $TERM_I ( $OUT{0,} ( $AT_ONCE_LONG | $ANY_PACE | $FLOODED ) | (~ s*){0,12} $ADJUST{0,2} ( $CHAFF | $LATER ) ) | $OPEN_I ~ c@A+430/400 $OUT{1,} ( $ECHO_I ){3} ) ) : SSH2 - a program types in a session
    id = automated.typing.ssh
    confidence = 95
    severity = low
    attack = T1059.004
    category = ssh

let MIXES(two, three, open) = $LOGIN ( $TERM_E($two, $three, $open) | $TERM($two, $three) ) $MIXED

# A terminal, from the login on or after a long one; the lines that a program types there.
let SEEN_STARTED = ( $SEEN_LOGIN ( $SEEN_TERMINAL ) | $SEEN_LONG_LOGIN ... $SEEN_OPEN() $SEEN_PTY() (~ s* | $ADJUST){1,} ) ($ADJUST){0,2}
let SEEN_STARTED_I(all, two) = ( $SEEN_LOGIN_I ( $SEEN_TERMINAL_I ) | $SEEN_LONG_LOGIN_I ... $SEEN_OPEN(~ s@A-8/8) ( ~ c@A+360/200 ( ~ s@A-8/8 ~ s$all | ~ s@A-8/8 ~ s@A-12/4 ( ~ s@A-8/8 ~ s@A-12/4 | ~ s@A-8/8 ~ s$two ) | ~ s@A-8/8 ~ s$two ~ s@A-8/8 ~ s@A-12/4 ) (~ s*){1,} | $SEEN_PTY(~ s@A-8/8) (~ s* | $ADJUST){1,} ) ) ($ADJUST){0,2}
let SEEN_KEY = (~ c@A-12/4){0,1}
let SEEN_LATER = ... ( ( c@A+116/100 (~ s@A-12/4){0,2} ( ~ s@A+1000/992 | ~ s@A/8 ~ s* ) (~ s*){0,} ){2} c@A+116/100 | ~ s@A+508/500 (~ s@A-8/8){0,2} $TICK{1,3} $LONG (~ s* | $TICK){2,9} $LONG )
let SEEN_TYPED = ( ( $SEEN_KEY c@A+100/100 $SEEN_SHOWN ) ( $SEEN_KEY c@A+104/96 ~ s* ) | ( $SEEN_KEY c@A+100/100 | ~ $LONG ) $SEEN_FLOOD | ($SEEN_KEY ~ c@A+100/100 $SEEN_SHOWN){0,3} ( $SEEN_KEY ~ c@A+104/96 $SEEN_OUTPUT $SEEN_KEY ~ c@A+100/100 ~ s* | $SEEN_KEY ~ c@A+100/100 $SEEN_SHOWN $SEEN_KEY ~ c@A+104/96 ~ s* ) | $CHAFF | $SEEN_LATER )

# The same of logins whose acceptance has no size of its own.
# Fails, false friends: as above.
tcp * = < $PROGRAM_LATE : SSH2 - a program types in a session
    id = automated.typing.ssh.late
    confidence = 95
    severity = low
    attack = T1059.004
    category = ssh

# The same, as the lab's recordings have it: a library's terminal, AsyncSSH, lines among chaff.
tcp * = < $SERVICE ( ( ~ s36-58#A $MIXES(@A+22/14, @A+56/16, @A+64/4) | ~ s60-72#A $MIXES(@A+40/8, @A+92/4, @A+84/0) | ~ s88-110#A $MIXES(@A+72/8, @A+156/4, @A+116/0) | ~ s40-110#A $LOGIN_N $TERM_N $LINES_N ) | ( ~ s36-110#A $SEEN_STARTED | ( ~ s24-36#I ~ s@I+12/4#A | ~ s36-54#A ) $SEEN_STARTED_I(@A+98/60, @A+22/14) | ( ~ s37-84#I ~ s@I+12/4#A | ~ s55-110#A ) $SEEN_STARTED_I(@A+144/60, @A+45/37) ) $SEEN_TYPED ) : SSH2 - a program types in a session
    id = automated.typing.ssh.terminal
    confidence = 95
    severity = low
    attack = T1059.004
    category = ssh

# A shell without a terminal (`ssh -T HOST sh`): the client's own terminal collects lines. Three of them, each after
# 0.8 s and more, the first not at once, two after pauses that are not round.
# Fails: fewer than three lines. False friends: a script that sleeps between lines, and programs that poll over one
# command.
tcp * = < ( $SERVICE ( ~ s36-110#A $LOGIN $OPEN_X ( $REQ | $IGNORED $JOINED_REQUESTS ) $REP $LINES | ( ~ s24-84#I ~ s@I+12/4#A | ~ s40-110#A ) $LOGIN_I $OPEN_I ( $REQ | $IGNORED $JOINED_REQUESTS ) $REP $LINES ) | $LINES_PIECES ) : SSH2 - a person types lines to a command
    id = human.lines.ssh
    confidence = 90
    severity = low
    attack = T1021.004
    category = ssh

let TERMINAL(two, three, open) = $LOGIN ( $TERM($two, $three) $USED | $OPEN_X $IGNORED ~ $JOINED_REQUESTS (~ s*){1,} +700ms c@A-12/4 ~ s* | $OPEN_X $ASKED ( $ECHO ){3} | $OPEN_E($open) $ASKED ( $ECHO_E ){3} )

let SEEN_ECHOED = ~ c@A+360/200 ~ s@A-12/4 ~ c@A+24/24#line ~ s@A-8/8 ~ s@line/0
let SEEN_KEYS_ECHOED = ~ c@A+108/24 ( ~ s@A/0 | ~ s@A+1000/960 ) (~ s@A+1000/1000){0,8} ( ~ c@A/0 (~ s@A+1000/1000){1,6} ){2} ~ c@A/0
let SEEN_KEYED = ( $SEEN_ECHOED | $SEEN_KEYS_ECHOED )
let SEEN_USED_I(shown, two) = ( ~ c@A+360/200 (~ c@A+40/40){0,1} ( ~ s@A-8/8 ~ s$shown | ~ s@A-8/8 ~ s@A-8/8 ~ s@A+742/758 | ~ s@A-8/8 ~ s$two ~ s@A-8/8 ~ s@A-12/4 | ~ s@A-8/8 ~ s@A-12/4 +400ms c@A-12/4 | ~ s@A-8/8 ~ s@A+4/8 ) $SEEN_USED_O | $SEEN_PTY(~ s@A-8/8) | ~ c@A+108/24 ( ~ s@A-8/8 ~ s@A/0 | ~ s@A-8/8 ~ s@A+1000/960 ) (~ s@A-8/8 ~ s@A+1000/1000){0,8} ( ~ c@A/0 (~ s@A+992/1008){1,12} ){2} ~ c@A/0 )

# A terminal was asked for (TERM), or somebody types keys, or a program lines that are echoed. Also a command that is given a
# terminal in one breath (`ssh -tt HOST COMMAND`, mosh's login): its messages are those of a shell.
# Fails: terminals without replies in which nobody types. False friends: a command with an agent or X11, a long input line
# to a command whose server acknowledges each input.
tcp * = < ( $SERVICE ( ( ( ~ s36-58#A $TERMINAL(@A+22/14, @A+56/16, @A+64/4) | ~ s60-72#A $TERMINAL(@A+40/8, @A+92/4, @A+84/0) | ~ s88-110#A $TERMINAL(@A+72/8, @A+156/4, @A+116/0) | ( ~ s24-84#I ~ s@I+12/4#A | ~ s40-110#A ) $LOGIN_I ( $TERM_I $USED | $OPEN_I ~ c@A+430/400 $OUT{1,} ( $ECHO_I ){3} ) ) | ( ~ s40-110#A | ~ s24-84#I ~ s@I+12/4#A ) ... $KEYS_PRESSED | ~ s40-110#A $LOGIN_N $TERM_N | ~ s40-110#A ... $KEYS_N ) | ( ~ s36-54#A $SEEN_LOGIN ( $SEEN_LATE_OPEN $SEEN_PTY() | $SEEN_OPEN() ( $SEEN_PTY() | $SEEN_KEYED ) ) | ~ s55-110#A $SEEN_LOGIN ( $SEEN_LATE_OPEN $SEEN_PTY() | $SEEN_OPEN() ( $SEEN_PTY() | $SEEN_ECHOED | ~ c@A+360/200 ~ s@A+32,@A+64 ~ s@A+400/400 | $SEEN_KEYS_ECHOED ) ) | ( ~ s24-36#I ~ s@I+12/4#A | ~ s36-54#A ) $SEEN_LOGIN_I $SEEN_OPEN(~ s@A-8/8) $SEEN_USED_I(@A+388/350, @A+22/14) | ( ~ s37-84#I ~ s@I+12/4#A | ~ s55-110#A ) $SEEN_LOGIN_I $SEEN_OPEN(~ s@A-8/8) $SEEN_USED_I(@A+434/350, @A+45/37) ) ) | $TERMINAL_LATE | $TERMINAL_PIECES ) : SSH2 - terminal session
    id = ssh.session.interactive
    confidence = 95
    severity = low
    attack = T1021.004
    category = ssh

let COMMAND(two, said) = $LOGIN ( $OPEN_X $WAITED_COMMAND $REST $ENDS | $HAS_SAID($two, $said) ( $REST $ENDS | $REST $NEXT_CHANNEL | (~ s* ){12} ) | $HAS_ENDED($two) (~ s*){1,} ( $ENDS | $NEXT_CHANNEL ) | $IS_TOLD($two) ( $INPUT | $UPLOAD ) | $SMALL_ONE($two) $LINES_AFTER )

# One request with one reply, then output and the end without any input; input and its end (EOF); lines after pauses; several
# such channels.
# Fails: a command that is still running when the recording ends. False friends: terminals whose requests want no reply, in which
# nobody types; scp's own protocol where the program says EOF, too.
tcp * = < ( $SERVICE ( ~ s40-110#A $LOGIN_N $EXEC_N | ( ~ s36-58#A $COMMAND(@A+22/14, @A+30040/29960) | ~ s60-72#A $COMMAND(@A+40/8, @A+30052/29948) | ~ s88-110#A $COMMAND(@A+72/8, @A+30084/29916) | ( ~ s24-84#I ~ s@I+12/4#A | ~ s40-110#A ) $LOGIN_I ( $SAID_I ( $REST $ENDS | $REST $NEXT_CHANNEL_I | (~ s* ){24} ) | $EOF_I (~ s*){1,} ( $ENDS | $NEXT_CHANNEL_I ) | $TOLD_I ( $INPUT | $UPLOAD ) | $OPEN_I $REQ $OK_I $LINES_AFTER ) ) ) | $COMMAND_LATE | $COMMAND_PIECES ) : SSH2 - command executed
    id = ssh.session.exec
    confidence = 93
    severity = low
    attack = T1021.004
    category = ssh

# One or two replies, lists, and data; what each way to copy files does with them.
let SEEN_IGNORED = (c@A-12/4){0,2}
let SEEN_REPLY(i) = ( $i ~ s@A-12/4 ($i ~ s@A-12/4){0,1} | $i ~ s@A+45/37 )
let SEEN_LISTS(i) = ( $i ~ s@A+500/500 | $i ~ s@A-12/4 $i ~ s@A-12/4 $i ~ s@A+500/500 )
let SEEN_MUCH(i) = $i ~ s@A+29992/30008 ($i ~ s@A+29992/30008){0,4}
let SEEN_JSCH(i) = c@A+16/0 $i ~ s@A-16/0 c@A+16/0 $i ~ s@A+160/160 c@A+16/16 $i ~ s@A+500/500 c@A+200/200
let SEEN_RSYNC(i) = $SEEN_IGNORED c@A+146/154 $SEEN_REPLY($i) ( ( $SEEN_IGNORED c@A+0/0 ( $i ~ s@A+150/150 | $i ~ s@A-12/4 $i ~ s@A-12/4 $i ~ s@A+150/150 ) $SEEN_IGNORED c@A+200/200 | c@A-12/4 $SEEN_LISTS($i) c@A+200/200 ) ( $i ~ s@A+29992/30008 | $i ~ s@A-12/4 ($i ~ s@A-12/4){0,1} $i ~ s@A+500/500 ) $SEEN_IGNORED c@A+19996/20004 | ( $SEEN_IGNORED c@A+0/0 $i ~ s@A+0/0 ($i ~ s@A+29992/30008){0,4} | $i ~ s@A+0/0 $SEEN_IGNORED c@A+0/0 $i ~ s@A+29992/30008 ($i ~ s@A+29992/30008){0,4} ) $SEEN_IGNORED c@A+200/200 (c*){0,3} $SEEN_MUCH($i) $SEEN_IGNORED c@A+19996/20004 )
let SEEN_RSYNC_SOON(i) = $SEEN_IGNORED c@A+100/60 $SEEN_IGNORED c@A+0/0 ($SEEN_REPLY($i)){0,1} ( $i ~ s@A+0/0 ($i ~ s@A+29992/30008){0,4} | $i ~ s@A+250/150 ) $SEEN_IGNORED c@A+200/200 (c*){0,3} $SEEN_MUCH($i) $SEEN_IGNORED c@A+19996/20004
let SEEN_SFTP_SOON(i) = $SEEN_IGNORED c@A+10/10 $SEEN_IGNORED c@A+0/0 $SEEN_REPLY($i) $i ~ s@A+500/500 $SEEN_IGNORED c@A+196/204 $i ~ s@A+29992/30008 $SEEN_IGNORED c@A+19996/20004
let SEEN_SCP(i) = $SEEN_IGNORED c@A+79/79 $SEEN_REPLY($i) ( $i ~ s@A-8/8 $SEEN_IGNORED c@A+50/50 ($i ~ s@A-12/4){0,1} $i ~ s@A-8/8 $SEEN_IGNORED c@A+30000/30000 | c@A-12/4 $i ~ s@A+50/50 c@A-12/4 $i ~ s@A+30050/29950 )
let SEEN_SCP_JOINED(i) = $SEEN_IGNORED c@A+79/79 $i ~ s@A+46/38 c@A/0 $i ~ s@A+50/50 c@A/0 $i ~ s@A+30050/29950
let SEEN_GIT(i) = $SEEN_IGNORED c@A+120/120 $SEEN_REPLY($i) $i ~ s@A+30000/30000 (~ s*){0,11} $SEEN_IGNORED c@A+30020/29980 (c*){0,2} (~ s@A+91/107){0,4} $i ~ s@A+30100/29900 $i ~ s@A+30100/29900
let SEEN_SCP_SMALL(i) = $SEEN_IGNORED c@A+79/79 c@A-8/8 $i ~ s@A-12/4 $i ~ s@A+50/50 c@A-8/8 $i ~ s@A+30050/29950
let SEEN_COPIES(i) = ( $SEEN_JSCH($i) | $SEEN_RSYNC($i) | $SEEN_RSYNC_SOON($i) | $SEEN_SFTP_SOON($i) | $SEEN_SCP($i) | $SEEN_SCP_JOINED($i) | $SEEN_GIT($i) | $SEEN_SCP_SMALL($i) )

# SFTP: INIT (9 bytes, the acceptance's size with every cipher), VERSION, and two requests more, all at once; lftp and
# sshfs send INIT with the request, JSch pads by a block more. scp's own protocol: a byte, a line with mode, length and
# name, a byte, data. rsync: versions of 4 bytes each, then lists. git: the server's list of references, the client's
# wishes, a pack. Fails: an empty or refused transfer. False friends: programs that talk to a command line by line
# without a pause.
tcp * = < ( $SERVICE ( ( ~ s36-110#A $LOGIN $OPEN_X $SFTP | ~ s40-110#A $LOGIN_N $SFTP_N | ( ~ s24-84#I ~ s@I+12/4#A | ~ s40-110#A ) $LOGIN_I $OPEN_I $SFTP ) | ( ~ s40-100#A $SEEN_LOGIN $SEEN_OPEN() ( c@A+8/8 c@A/0 (~ s@A-8/8){0,3} ~ s@A+160/150 (c@A-12/4){0,2} c@A+200/200 (~ s@A-12/4){0,3} ~ s@A+500/500 ( (c@A-12/4){0,1} c@A+200/200 | ~ c@A-16/0 ~ s@A-16/0 ) | $SEEN_COPIES() ) | ( ~ s24-84#I ~ s@I+12/4#A | ~ s40-100#A ) $SEEN_LOGIN_I $SEEN_OPEN(~ s@A-8/8) ( c@A+8/8 c@A-8/8 (~ s@A-8/8){0,6} ~ s@A+160/150 c@A+200/200 ~ s@A-8/8 ~ s@A+500/500 (c@A-12/4){0,1} c@A+200/200 | $SEEN_COPIES(~ s@A-8/8) ) ) ) | $FILES_LATE | $FILES_PIECES ) : SSH2 - files transferred (SFTP, scp)
    id = ssh.session.transfer
    confidence = 95
    severity = low
    attack = T1021.004, T1105
    category = ssh

let SEEN_NEWS(i) = ($i ~ s@A+1000/960){0,3} ($i ~ s@A-12/4){0,1}
let SEEN_FIRST_DATA(i) = $SEEN_NEWS($i) ( $i ~ s@A+6/22 ($i ~ s@A+32/32){0,1} c@A+40/24 ($i ~ s@A+750/750){0,1} | $i ~ s@A+180/140 c@A+40/24 ($i ~ s@A+750/750){0,1} ) c@A+1600/1400 (c*){0,2} ($i ~ s@A-8/8){0,1} $i ~ s@A+1575/1425
let SEEN_FORWARDS(i, name) = ( ~ c@A+56/8#first $SEEN_NEWS($i) $i ~ s@A+46/54 ~ c@first/0 | ( ~ c@A+16/0 $SEEN_NEWS($i) ~ c@A+96/64 | +300ms c@A+86/54 ) $SEEN_NEWS($i) $i ~ s@A+46/54 | ~ c@A+16/0 $SEEN_NEWS($i) ~ c@A+96/64 $SEEN_NEWS($i) ~ c@A+96/64 | (~ c@A+20/12){2} ($i ~ s@A+1000/960){0,3} +300ms s@A+58/18 ~ c@A+12/12 | ~ c@A+20/4 $SEEN_NEWS($i) +300ms c@A+92/68 $SEEN_NEWS($i) $i ~ s@A+46/54 | (~ c@A+16/0 $SEEN_NEWS($i)){0,1} +900ms c@A+8/8 ( $i ~ s@A-16/0 | ~ s@A-16/0 | $i ~ s@A-8/0 +300ms c@A+8/24 ) | ( (~ c@A+20/12){1,2} | ~ c@A+96/40 ) ($i ~ s@A+1000/960){0,3} ( $i ~ s@A-12/4 ($i ~ s@A+1000/960){0,2} +200ms s@A+58/18 ~ c@A+12/12 | +200ms s@A+80/20 ~ c@A+12/12 | $i ~ s@A-12/4 +1s c@A+16/16 > ) | c@A+40/14 $SEEN_FIRST_DATA($i) | c$name $SEEN_FIRST_DATA($i) )

# No session at all: connections forwarded (-L, -D; direct-tcpip, 45 bytes and two names), or opened by the server
# (-R), each answered; or only keep-alives.
# Fails: forwards beside a terminal or a command. False friends: clients that log in and stay silent.
tcp * = < $SERVICE ( ~ s36-54#A $SEEN_LOGIN $SEEN_NEWS() ( ~ c@A+20/12 (~ s@A+1000/960){1,3} ~ c@A+20/12 ~ s@A-12/4 (~ s@A+1000/960){0,2} ~ s@A+58/18 ~ c@A+16/0 | $SEEN_FORWARDS(, @A+142/58) ) | ~ s55-110#A $SEEN_LOGIN $SEEN_NEWS() ( ~ c@A+20/12 (~ s@A+1000/960){1,3} ~ c@A+20/12 ~ s@A-12/4 (~ s@A+1000/960){0,2} ~ s@A+58/18 ~ c@A+16/0 | $SEEN_FORWARDS(, @A+156/44) ) | ( ~ s24-36#I ~ s@I+12/4#A | ~ s36-54#A ) $SEEN_LOGIN_I $SEEN_NEWS(~ s@A-8/8) $SEEN_FORWARDS(~ s@A-8/8, @A+142/58) | ( ~ s37-84#I ~ s@I+12/4#A | ~ s55-110#A ) $SEEN_LOGIN_I $SEEN_NEWS(~ s@A-8/8) $SEEN_FORWARDS(~ s@A-8/8, @A+156/44) ) : SSH2 - port forwarded
    id = ssh.session.forward
    confidence = 85
    severity = medium
    attack = T1572
    category = ssh
