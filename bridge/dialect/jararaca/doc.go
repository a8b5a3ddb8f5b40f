// Package jararaca is the dialect of Jararaca: clients are in named rooms, which their URL says, and
// get what is sent to one of them or broadcast to all, in binary frames.
//
//	upgrade ──► Route: its path, its query ──► names of rooms ──► Open ──► groups.go: follow the group's log
//	source ──► Deliver ──► the logs of the groups that have the room
//	                  └──► the logs of all groups, if it is for all
//
// A group is the clients of the same rooms, so that one log serves them. A message that is sent to
// several rooms comes as one message for each of them; a group that has several gets it once. What
// clients send belongs to the application, and is ignored.
package jararaca
