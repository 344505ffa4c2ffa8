"""Between granian and the application: deadlines and limits before a thread is spent."""
