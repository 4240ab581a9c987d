"""How letters leave: the transports, and what makes a letter fit for one."""
