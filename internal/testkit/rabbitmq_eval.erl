%% Evaluates expressions in a RabbitMQ of the tests, without loading Erlang and Elixir for each as rabbitmqctl does. The
%% node evaluates this file once it has started. Socket is bound to the path at which it listens. A request is Erlang, as
%% `rabbitmqctl eval` takes it, preceded by its length in four bytes. So is the answer: "ok " and the value, or "error "
%% and the reason; a binary is text.
Evaluate = fun(Text) ->
	{ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(Text)),
	{ok, Expressions} = erl_parse:parse_exprs(Tokens),
	{value, Value, _} = erl_eval:exprs(Expressions, []),
	Value
end,
Answer = fun(Text) ->
	{Word, Term} = try {ok, Evaluate(Text)} catch Class:Reason -> {error, {Class, Reason}} end,
	Format = if is_binary(Term) -> "~s ~ts"; true -> "~s ~tp" end,
	unicode:characters_to_binary(io_lib:format(Format, [Word, Term]))
end,
Serve = fun(Connection) ->
	case gen_tcp:recv(Connection, 0) of
		{ok, Text} -> gen_tcp:send(Connection, Answer(Text));
		{error, _} -> hung_up
	end,
	gen_tcp:close(Connection)
end,
Accept = fun Accept(Listener) ->
	{ok, Connection} = gen_tcp:accept(Listener),
	Server = spawn(fun() -> receive yours -> Serve(Connection) end end),
	ok = gen_tcp:controlling_process(Connection, Server),
	Server ! yours,
	Accept(Listener)
end,
spawn(fun() ->
	_ = file:delete(Socket), % of the previous run
	{ok, Listener} = gen_tcp:listen(0, [binary, {packet, 4}, {active, false}, {ifaddr, {local, Socket}}]),
	Accept(Listener)
end).
