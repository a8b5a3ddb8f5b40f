// Package redislink keeps a subscription to Redis pub/sub channels. It knows nothing of rooms.
//
//	Redis ──► session: one connection, its channels ──► Config.Deliver, in order
//	              ▲   └── watch: PING, and closes a connection on which nothing comes
//	          Link.Run: connects again, and tells Config.OnGap what may have been lost
//
// Redis keeps no messages: what is published while there is no connection is lost. So each connection
// that ends leaves a gap (session.go), which begins when the connection was last known to be good.
// While Deliver does not return, nothing is read, and what is published waits in Redis up to its
// client-output-buffer-limit; beyond that Redis closes the connection, which is a gap, too.
//
// A URL (url.go) names one server, Sentinels (sentinel.go) or a cluster (server.go). Of the latter two the link asks again and again
// whether its server is still the right one: one that was replaced, or cut off, goes on answering, and
// hears nothing that is published elsewhere. What is read is bounded (resp.go), and errors say how to
// mend them (errors.go). Overlapping patterns (glob.go) deliver a message once.
package redislink
