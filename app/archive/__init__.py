"""What decisions were made on, kept so that each can be made again."""
