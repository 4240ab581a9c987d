"""What mailer adds to a letter: how it ends, which letters it follows; its own to the admin."""
