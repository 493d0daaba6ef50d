%% SPDX-License-Identifier: LGPL-2.1-or-later
%% A client and a server of Erlang/OTP's ssh.
%%   sshtalk client ADDRESS USER ACTION WORD...
%% opens a connection for each word, a password or key:PATH (in a folder of its own, named as OpenSSH names keys), until
%% one is accepted. ACTION: none, exec, shell, transfer, refuse (it does not know the host key).
%%   sshtalk serve USER PASSWORD AUTHORIZED_KEYS FOLDER
%% listens on port 22 and logs as OpenSSH does; FOLDER has ssh_host_*_key. Refused keys are not logged.
-module(sshtalk).
-behaviour(ssh_server_key_api).
-export([main/1, host_key/2, is_auth_key/3]).

script() -> ["uname -a", "id", "ls /etc | head -20", "uptime"].

main(["client", Address, User, Action | Words]) ->
    ssh:start(),
    attempt(Address, User, Action, Words),
    halt(0);
main(["serve", User, Password, Keys, Folder]) ->
    ssh:start(),
    Judge = fun(Name, Word, {Ip, Port}, State) ->
        Tries = case State of undefined -> 1; N -> N + 1 end,
        case {Name, Word} =:= {User, Password} of
            true -> true;  % connectfun tells
            false ->
                log("Failed password for ~s from ~s port ~p ssh2", [User, name(Ip), Port]),
                case Tries >= 6 of true -> disconnect; false -> {false, Tries} end
        end
    end,
    Connected = fun(_, {Ip, Port}, Method) ->
        log("Accepted ~s for ~s from ~s port ~p ssh2", [Method, User, name(Ip), Port])
    end,
    Run = fun(Line) -> {ok, os:cmd(Line)} end,
    Options = [
        {system_dir, Folder}, {key_cb, {?MODULE, [{keys, Keys}]}}, {pwdfun, Judge}, {connectfun, Connected},
        {auth_methods, "publickey,password"}, {exec, {direct, Run}}, {shell, fun(_, _) -> spawn(fun() -> prompt() end) end},
        {subsystems, [ssh_sftpd:subsystem_spec([{root, "/"}, {cwd, "/tmp"}])]}, {tcpip_tunnel_in, true}
    ],
    [serve(Where, Options) || Where <- [inet, inet6]],
    receive never -> ok end.

%% Accepts connections itself, because the daemon tells of none by which nobody logs in.
serve(Family, Options) ->
    {ok, Socket} = gen_tcp:listen(22, [Family, {active, false}, {reuseaddr, true}, {backlog, 64} | [{ipv6_v6only, true} || Family =:= inet6]]),
    spawn(fun() -> accept(Socket, Options) end).

accept(Socket, Options) ->
    {ok, One} = gen_tcp:accept(Socket),
    {ok, {Ip, Port}} = inet:peername(One),
    log("Connection from ~s port ~p on server", [name(Ip), Port]),
    Pid = spawn(fun() -> receive go -> ssh:daemon(One, Options) end, receive never -> ok end end),
    ok = gen_tcp:controlling_process(One, Pid),
    Pid ! go,
    accept(Socket, Options).

host_key(Algorithm, Options) -> ssh_file:host_key(Algorithm, Options).

is_auth_key(Key, _User, Options) ->
    [Given | _] = [Text || {keys, Text} <- proplists:get_value(key_cb_private, Options)],
    {ok, Text} = file:read_file(Given),
    lists:any(fun({One, _}) -> One =:= Key end, ssh_file:decode(Text, auth_keys)).

%% A shell on a terminal: each line is run by sh.
prompt() ->
    case io:get_line("$ ") of
        "exit" ++ _ -> ok;
        eof -> ok;
        {error, _} -> ok;
        Line -> io:put_chars(os:cmd(Line)), prompt()
    end.

name(Ip) -> inet:ntoa(Ip).

log(Form, Values) -> io:format(standard_error, Form ++ "~n", Values).

attempt(_, _, _, []) -> ok;
attempt(Address, User, Action, [Word | Words]) ->
    Given = case Word of
        "key:" ++ Path -> [{user_dir, filename:dirname(Path) ++ "/erlang-keys"}, {auth_methods, "publickey"}];
        _ -> [{user_dir, "/root/erlang"}, {password, Word}, {auth_methods, "password"}]
    end,
    Known = Action =/= "refuse",
    case ssh:connect(Address, 22, [{user, User}, {user_interaction, false}, {silently_accept_hosts, Known}, {save_accepted_host, false} | Given], 30000) of
        {ok, Connection} -> act(Connection, Action), ssh:close(Connection);
        {error, _} -> attempt(Address, User, Action, Words)
    end.

act(Connection, "exec") ->
    lists:foreach(fun(Line) ->
        {ok, Channel} = ssh_connection:session_channel(Connection, 30000),
        ssh_connection:exec(Connection, Channel, Line, 30000),
        drain(Connection, Channel)
    end, lists:sublist(script(), 2));
act(Connection, "shell") ->
    {ok, Channel} = ssh_connection:session_channel(Connection, 30000),
    ssh_connection:ptty_alloc(Connection, Channel, [{term, "xterm"}]),
    ssh_connection:shell(Connection, Channel),
    [begin timer:sleep(300), ssh_connection:send(Connection, Channel, Line ++ "\n") end || Line <- script() ++ ["exit"]],
    drain(Connection, Channel);
act(Connection, "transfer") ->
    {ok, Files} = ssh_sftp:start_channel(Connection),
    ok = ssh_sftp:write_file(Files, "/tmp/erlang-file", binary:copy(<<"x">>, 60000)),
    ssh_sftp:read_file(Files, "/etc/services"),
    ssh_sftp:stop_channel(Files);
act(_, _) -> ok.

drain(Connection, Channel) ->
    receive
        {ssh_cm, Connection, {closed, Channel}} -> ok;
        {ssh_cm, Connection, _} -> drain(Connection, Channel)
    after 10000 -> ok
    end.
