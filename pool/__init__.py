"""The revolving pool: who owns every post, who may use it, and until when."""
