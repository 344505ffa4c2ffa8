"""An open portrait: its files mapped, its layers ready to be asked."""
