"""Files of the sample catalogue; README.md beside this file says what each one is."""
