"""What goes with a cart: data set, training, published model, ranking."""
