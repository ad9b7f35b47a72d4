"""What is measured of a model: figures by playlist, their intervals, comparisons, and the page that shows them."""
