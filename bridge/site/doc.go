// Package site knows what the operator configured about the observatory: the section site of the
// configuration file. It knows neither sockets nor AMQP.
//
//	Config ──► Compile ──► Site ──► Conditions, for package problem
//	                        │
//	                        └──► For(hears) ──► View, the answer to the request site
//
// A keyword is written as ACTOR.KEYWORD, with deeper members as ACTOR.KEYWORD.MEMBER and items of
// lists as ACTOR.KEYWORD.0. The name of an actor may have dots itself: which part it is shows when an
// actor with such a name speaks.
//
// # Conditions
//
// A condition is an expression over keywords (expr.go) that says when something is wrong:
//
//	weather.is_safe == false
//	weather.wind_speed_ms > 15 or weather.rain == true and dome.dome_shutter != "closed"
//
// A test compares a keyword with a number, a text in double quotes, true, false or null, by ==, !=, <,
// <=, > or >=; the last four compare numbers. "and" binds more tightly than "or", and parentheses
// group. Whole numbers are compared with all their digits.
//
// An expression is true, false or unknown. A test is unknown if its keyword was never heard, if an order
// is asked of something that is no number, or if null is asked whether it is equal to something else.
// What is unknown neither raises a problem nor ends one: a sensor that says null does not end the alarm
// that it raised. Null is not equal (!=) to any other value, so dome.dome_shutter != "closed" is true.
//
// The limits of a keyword (low, high, low_critical, high_critical) are conditions, too.
//
// # Who is told
//
// [Site.For] leaves out what a client may not hear. What a client may know of a keyword is what it
// would hear if the actor broadcast that keyword alone, as information.
package site
