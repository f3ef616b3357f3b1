"""The commands of `tillwise` that look after what is kept: one file a subject."""
