// Package inorder keeps the order of messages of which some have to wait for a decision:
//
//	Queue.Add ──► the messages, oldest first ──► Decided: it carries on once those before it have
//	                       ▲                                    │ it needs another decision: Retain
//	                       └────────────────────────────────────┘
package inorder
