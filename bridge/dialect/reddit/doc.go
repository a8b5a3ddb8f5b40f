// Package reddit is the dialect of reddit's WebSocket service.
package reddit
