// Package model learns what an actor tells of itself: its commands with their parameters, and
// its keywords with their types, units and descriptions. It knows neither sockets nor AMQP: it is
// given a function that sends a question, and is told of the replies.
//
//	Want ──► cached? ──yes──────────────────────────────────────────────► answer
//	            │no                                                          ▲
//	            ▼                                                            │ at the end, or "asking" after 5 s
//	         asking: get-command-model ──refused──► __commands ──refused──► help, [get-command-model NAME,] help NAME ...
//	            │                                                            │
//	            └────────────────────── get_schema ◄─────────────────────────┘
//
// [Models] asks an actor once, when somebody first wants its model, one question at a time and
// only a few actors at once (models.go, asking.go). It keeps the answers until the actor starts
// anew ([Models.Started]), until a command of the model turns out not to exist any more
// ([Models.Refused]), or until somebody asks for a refresh.
//
// # What actors answer
//
// CLU 2.0.0 and newer answer get-command-model with click's own description of all commands
// (commandmodel.go). Actors of cluplus answer __commands with the names; the bridge then reads
// the help of each. Older ones have their help only, whose lines are click's, too (help.go). The
// answer to get_schema is a string that holds a JSON Schema (schema.go). Few schemas name a unit:
// it then comes from the name's suffix (unit.go).
//
// An actor may answer anything, so that all of this is bounded (bounds.go), and what was left out
// is said in [Model.Problem].
package model
