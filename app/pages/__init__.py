"""What a page shows: records as lines, bars and plots, ready for a template. Pure: knows neither web nor database."""
