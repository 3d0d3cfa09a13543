"""What the kernels of features and graph cost as they come to know more: time an event, memory an entity, pauses."""
