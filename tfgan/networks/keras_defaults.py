"""Keras's own defaults, whatever a user's ~/.keras/keras.json asks for; imported for that alone."""

import keras

keras.config.set_floatx('float32')
keras.config.set_epsilon(1e-7)
keras.config.set_image_data_format('channels_last')
