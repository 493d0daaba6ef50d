#!/usr/bin/env escript
%% SPDX-License-Identifier: LGPL-2.1-or-later
%% What Erlang programs do with TLS (ssl of OTP): `front ADDRESS PORT HOST PORT PEM` ends TLS and passes bytes on,
%% `local PORT ADDRESS PORT` takes plain TCP and speaks TLS to the front.
main(["front", Place, Port, Host, Target, Pem]) ->
    start(),
    {ok, Ip} = inet:parse_address(Place),
    Family = case size(Ip) of 8 -> [inet6]; 4 -> [] end,
    Options = [binary, {ip, Ip}, {active, true}, {reuseaddr, true}, {certfile, Pem}, {keyfile, Pem} | Family],
    {ok, Listen} = ssl:listen(list_to_integer(Port), Options),
    accept(fun() ->
        {ok, Socket} = ssl:transport_accept(Listen),
        fun() ->
            {ok, Stream} = ssl:handshake(Socket, 20000),
            {ok, Other} = gen_tcp:connect(Host, list_to_integer(Target), [binary, {active, true}, {nodelay, true}]),
            pass(Stream, Other)
        end
    end);
main(["local", Port, Host, Target]) ->
    start(),
    {ok, Listen} = gen_tcp:listen(list_to_integer(Port), [binary, {active, false}, {ip, {127, 0, 0, 1}}, {reuseaddr, true}]),
    accept(fun() ->
        {ok, Socket} = gen_tcp:accept(Listen),
        fun() ->
            {ok, Ip} = inet:parse_address(Host),
            Family = case size(Ip) of 8 -> [inet6]; 4 -> [] end,
            Options = [binary, {active, true}, {verify, verify_none}, {nodelay, true} | Family],
            {ok, Stream} = ssl:connect(Ip, list_to_integer(Target), Options),
            inet:setopts(Socket, [{active, true}, {nodelay, true}]),
            pass(Stream, Socket)
        end
    end).

start() ->
    {ok, _} = application:ensure_all_started(ssl),
    logger:set_primary_config(level, error).

%% The process that accepted owns the socket, so it makes the next acceptor instead of a worker.
accept(Take) ->
    Main = self(),
    spawn(fun() -> Work = Take(), Main ! next, Work() end),
    receive next -> accept(Take) end.

pass(Stream, Plain) ->
    receive
        {ssl, Stream, Data} -> gen_tcp:send(Plain, Data), pass(Stream, Plain);
        {tcp, Plain, Data} -> ssl:send(Stream, Data), pass(Stream, Plain);
        {ssl_closed, Stream} -> gen_tcp:close(Plain);
        {tcp_closed, Plain} -> ssl:close(Stream);
        _ -> ssl:close(Stream), gen_tcp:close(Plain)
    end.
