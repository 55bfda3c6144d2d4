//! What is owed of people.
