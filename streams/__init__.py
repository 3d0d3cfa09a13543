"""What flows and what it flows through: schemas, codec, topics, brokers, arrival processes, worlds and datasets."""
