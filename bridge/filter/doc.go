// Package filter selects replies for a subscription. It knows neither sockets nor AMQP, but only
// the few properties of a reply that a filter may test.
//
//	JSON of "subscribe" ──► Parse ─────┐
//	                                   ├──► Filter ──► Match, MatchMine: is this reply selected?
//	query of the URL ─────► FromQuery ─┘          └──► Key, Senders: which filters are equal, and whose replies they may select
//
// A View (view.go) is what a client may hear, whatever it asks for: hear and hide filters. A memo
// evaluates it at most once for a reply (memoview.go).
//
// # The fields of a filter
//
//	{"sender": ["lvmecp", "lvm.*"], "message_code": [":", "f"], "internal": false}
//
// A reply must match every field that is given, and matches a field by one of its values. A single
// value needs no list. A field that is absent or null matches everything; an empty list, which
// would match nothing, is an error. In a URL, the same filter is
// sender=lvmecp,lvm.*&message_code=:,f&internal=false, or one parameter for each value. There a
// comma always separates values, # must be written %23 (a browser does not send what follows a
// plain #), and a value cannot be empty.
//
//	sender, command_id, commander   globs against that header; commander is the header commander_id
//	keyword                         globs, of which one must match one of the body's top-level keys
//	routing_key                     patterns of package topic: reply.*, reply.#
//	message_code                    among > i d w e : f !
//	internal                        true or false: whether the reply is not meant for people
//
// A glob is matched against the whole value: * is any text, ? one character, [abc], [a-z] and [^a]
// one character that is, or is not, among those. For *, ? and [ themselves write [*], [?] and [[].
// Every other character stands for itself, / and \ included.
//
// The commander "me" is not a name: it selects the replies to the commands of the
// subscribing connection, which only the caller knows (see [Filter.MatchMine]).
//
// # Absent headers
//
// A missing header counts as an empty string. So "" selects replies without it (command_id "":
// replies that answer no command), and "*", which matches the empty string, selects all. A list
// with "*" is therefore no constraint, as if its field were absent, and neither is a routing_key
// list with "#". For keywords this includes replies without any; "?*" selects those that have one.
// Both values of internal together are no constraint either. All eight codes together are a
// constraint: they exclude replies with other codes.
//
// # Adding a field
//
// Tests of this package name what is missing of the first four once the field is in fieldNames, those of
// packages bridge and hub what is missing of the last two, and the compiler what is missing in the model
// of package snapshot.
//
//   - Reply, Filter, its methods selects and Globs (filter.go); if texts of the field recur, a constant for
//     the [Memo] (memo.go)
//   - fieldNames and set (build.go); from these, Parse and FromQuery know the field. One of true and false:
//     readText (parse.go), too
//   - docs/protocol.md, and clu.js: FIELDS, fieldsOf and CompiledFilter in filter.js, PARAMETERS in url.js,
//     Filter in clu.d.ts
//   - the second opinions: model_test.go, and testdata/cases.json, which clu.js reads too (envelopeOf in
//     filter.test.js)
//   - where replies come from: newReply in package bridge reads the field from a delivery
//   - snapshots, which are filtered by the reply that brought each value: package snapshot keeps the field
//     with the value (Reply, Entry; Hub.record hands it over), and cachedSnapshot in package hub gives it back
//     to the filter
package filter
