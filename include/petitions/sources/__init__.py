"""What to ask each petition site, and how its answers become records; no network here."""
