"""Topics in the hands of an operator: tail, export, restore, quarantine, rebuild."""
