// Command rabbitmq starts a throw-away RabbitMQ on a free port of 127.0.0.1, prints its URL, and keeps
// it until stdin ends. Nothing of it is left then.
package main
