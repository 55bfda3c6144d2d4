# What happens between the blocks of a document, by name: the part of the story that the reader does not type.
# All data, people and keys are synthetic and made on the spot.
