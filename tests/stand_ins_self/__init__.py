"""The stand-ins and set-up parts keep their own promises."""
