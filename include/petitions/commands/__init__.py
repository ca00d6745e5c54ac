"""The commands of `petitions`, one module a group."""
