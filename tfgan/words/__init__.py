"""What people type: words, captions, and where a scene has what they name."""
