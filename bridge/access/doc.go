// Package access decides who a client is and what it may do. It knows neither sockets nor AMQP.
//
//	Approach ──► Authority.Identify ──► Principal, Refusal, or Later (on a worker) ──► the same
//	                 │ signed URLs, tokens, JWT, callback, certificates, Unix peers, proxy headers, anonymous
//
//	Principal + Request ──► Principal.Decide ──► Decision: allowed by this rule, or why not
//	Principal.Grants.View ──► which replies it hears (package filter)
//
// A Principal (principal.go) is who a client is. It never changes: a client whose grants change
// gets another one. Its Grants (grants.go) are parsed from a role, a claim or a callback's
// answer, which all have the same form. Decide (decide.go) is the one decision: whatever a
// client wants to do beside hearing replies is asked there. Without an Authority there are no
// principals, and everything is allowed.
//
// # Who a client is
//
//	Approach ──► shown (credentials.go): one credential, none, or 400
//	               │ one: tokens.go, signed.go, jwt.go, callback.go; if it is not valid, the client is refused
//	               └ none: the connection says it (ambient.go, unixpeer.go), or the client is anonymous
//
// A credential that is shown always decides. Without one, a trusted proxy's user comes before a
// certificate, and that before a Unix peer: the connection of a proxy is the proxy's.
//
// What takes long is bounded by slots (slots.go):
//
//	JWT ──► check (jwt.go): what it says of itself ──► key (jwt_keys.go) of the issuer that is configured
//	    ──► signature and times ──► role by its claims (jwt_claims.go), or grants of the claim "clu"
//	ticket, session ──► question (callback_question.go) ──► send (callback_send.go): 16 at a time
//	    ──► yes, no or unknown ──► principal (callback_answer.go) ──► renewed (callback_renew.go)
//
// Unknown is never no: a newcomer has to try again, and a connected client stays for a while. An
// address with many failed attempts (failures.go) is slowed, and never locked out.
//
// A configuration (config.go) is compiled into a state (state.go), which Reload replaces as a whole.
// Current says what a principal of an earlier state is in the present one, and whether its
// credential is revoked (revoked.go). A BlockList (blocklist.go) keeps names out for a while.
//
// # What it may do
//
//	JSON ──► readGrants (grantsform.go): strict, with the place of each error
//	     ──► For (name.go): ${name} is the principal's name, if that cannot widen a pattern
//	     ──► compile ──► filter.View; patterns of rooms (roompattern.go); rules of commands (command.go)
//
// What a log or an error may show of a URL is what RedactTarget (redact.go) returns.
package access
