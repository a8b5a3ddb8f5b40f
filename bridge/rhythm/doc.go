// Package rhythm finds how often an actor usually broadcasts, and how long it may say nothing. It knows times only.
package rhythm
