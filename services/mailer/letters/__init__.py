"""What mailer adds to a letter: how it ends, and which letters it follows."""
