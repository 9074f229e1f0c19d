"""What all families share that are a pipeline of diffusers: calls within memory, embeddings, pixels, random weights."""
