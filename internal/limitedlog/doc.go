// Package limitedlog counts events, and logs them at a limited rate, so that a client
// cannot fill the log:
//
//	Log.Note ──► counted by its reason ──► at most one line a second and reason
package limitedlog
