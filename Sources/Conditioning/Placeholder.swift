// Conditioning
