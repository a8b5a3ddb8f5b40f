// Command rabbitmq runs a RabbitMQ on a free port of 127.0.0.1: it prints the URL, and deletes the RabbitMQ with its data
// when stdin ends.
package main
