// Package gctuner sets the garbage collector for a server whose clients are mostly
// idle. The room for garbage that Go's default leaves grows with the memory in use;
// idle clients use memory, but make no garbage.
//
//	each second: heap in use ──► GOGC, from 100 % for a small heap to 50 % for a large one
//	             little new garbage, and much free memory ──► give it back to the system
package gctuner
