// Package access knows who a client is and what it may do. It knows neither sockets nor AMQP.
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
package access
