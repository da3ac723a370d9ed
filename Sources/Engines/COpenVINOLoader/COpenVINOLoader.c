#include "COpenVINOLoader.h"
