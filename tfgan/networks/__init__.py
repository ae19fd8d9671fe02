"""Keras networks, and the backward pass that both players share."""

import keras

# Keras has read ~/.keras/keras.json, in which a user may have asked for something else.
keras.config.set_floatx('float32')
keras.config.set_epsilon(1e-7)
keras.config.set_image_data_format('channels_last')
