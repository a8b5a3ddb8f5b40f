// Package doctor finds out why a bridge does not work, or will not: it tries what the bridge does, one step after the
// other, and says what is wrong and how to mend it.
//
//	machine.go   limits of files, the kernel's settings, the clock
//	port.go      is the address free, and who has it? Is a bridge there, and which?
//	broker.go    the host, the connection, TLS, the login, the exchange, the name
//	others.go    what keeps the replies, the exchanges of rooms and of presence
//	redis.go     the sources of rooms that are Redis channels
//	backend.go   the backends of dialects
//	trial.go     a link like that of the bridge, for some seconds: permissions, and which actors are heard
//
// Each step adds a [Finding] to a [Report]. Nothing is changed: no command is sent to an actor, and what the trial
// declares at the broker is gone when it ends.
package doctor
