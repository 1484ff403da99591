// icebox
