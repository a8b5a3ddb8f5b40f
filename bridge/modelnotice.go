package bridge

// modelChanged tells the clients that want to know that an actor's model is another one.
func (b *Bridge) modelChanged(string) {}
